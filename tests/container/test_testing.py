"""`appliance.testing`, as another project's tests use it."""

import nio
import pytest

from appliance.testing import MatrixAppliance, MatrixApplianceError

from .volumes import IMAGE


async def test_two_users_of_another_projects_test() -> None:
    with MatrixAppliance(IMAGE) as server:
        alice, bob = server.create_user("alice", admin=True), server.create_user("bob")
        assert alice.user_id == f"@alice:{server.server_name}"
        client = nio.AsyncClient(server.client_url, alice.user_id)
        client.restore_login(alice.user_id, alice.device_id, alice.access_token)
        made = await client.room_create(invite=[bob.user_id])
        assert isinstance(made, nio.RoomCreateResponse), made
        # What the server says of itself is where it is reached.
        found = await client.discovery_info()
        assert isinstance(found, nio.DiscoveryInfoResponse), found
        assert found.homeserver_url == server.client_url
        await client.close()
        assert "bob" in server.command("user", "list")
        assert "STARTING SERVER" in server.logs()


def test_variables_are_the_appliances_and_users_can_be_made_all_the_same() -> None:
    server = MatrixAppliance(IMAGE).with_variables(
        MATRIX_SERVER_NAME="localhost", MATRIX_REGISTRATION="closed"
    )
    with server:
        assert server.server_name == "localhost"
        assert server.create_user("alice").user_id == "@alice:localhost"
        with pytest.raises(MatrixApplianceError, match="M_FORBIDDEN"):
            server.log_in("alice", "wrong")


def test_server_that_refuses_to_start_says_why() -> None:
    server = MatrixAppliance(IMAGE).with_variables(MATRIX_FEDERATION="sometimes")
    with pytest.raises(MatrixApplianceError, match="MATRIX_FEDERATION: 'sometimes' is not one of"):
        server.start()
    server.stop()
