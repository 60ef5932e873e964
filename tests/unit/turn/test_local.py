from pathlib import Path

from appliance.turn.local import read_addresses

# As the kernel writes them, shortened.
FIB_TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     +-- 192.168.1.0/24 2 0 2
        |-- 192.168.1.0
           /24 link UNICAST
        |-- 192.168.1.5
           /32 host LOCAL
        |-- 192.168.1.255
           /32 link BROADCAST
Local:
  +-- 192.168.1.0/24 2 0 2
        |-- 192.168.1.5
           /32 host LOCAL
"""
IF_INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000421efffe4e0002 02 40 20 80     eth0
2a000001000000000000000000000005 02 40 00 80     eth0
2a000001000000000000000000000077 02 40 00 01     eth0
2a000001000000000000000000000088 02 40 00 40     eth0
"""


def test_addresses_are_those_to_which_others_can_send(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    (tmp_path / "if_inet6").write_text(IF_INET6)
    found = [(str(one.address), str(one.network)) for one in read_addresses(tmp_path)]
    assert found == [
        ("127.0.0.1", "127.0.0.1/32"),
        ("192.168.1.5", "192.168.1.5/32"),
        ("::1", "::1/128"),
        ("2a00:1::5", "2a00:1::/64"),
        ("2a00:1::77", "2a00:1::/64"),
    ]


def test_a_kernel_without_ipv6_has_none(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB_TRIE)
    assert len(read_addresses(tmp_path)) == 2


def test_this_machine_has_loopback() -> None:
    assert "127.0.0.1" in {str(one.address) for one in read_addresses()}
