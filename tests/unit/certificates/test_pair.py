from pathlib import Path

import pytest

from appliance.certificates import PairError, Source
from appliance.certificates.pair import find_faults, judge

from .pairs import NOW, make, owned, put


def doubts(source: Source) -> list[str]:
    return [*judge(source).facts.doubts(source.hosts)]


def test_a_good_pair_has_nothing_against_it(tmp_path: Path) -> None:
    leaf, issuer = make(), make(issuer="The server")
    source = owned(tmp_path)
    put(source, leaf.chain + issuer.chain, leaf.key_pem())
    judged = judge(source)
    assert doubts(source) == []
    assert judged.chain.encode() == leaf.chain + issuer.chain
    assert judged.key.encode() == leaf.key_pem()
    facts = judged.facts
    assert facts.not_before < NOW.timestamp() < facts.not_after
    assert facts.names == ("matrix.example.org", "chat.example.org")
    assert (facts.issuer, facts.serial) == ("Somebody", f"{leaf.certificate.serial_number:x}")


def test_a_wildcard_holds_the_hosts_directly_below_it(tmp_path: Path) -> None:
    source = owned(tmp_path)
    leaf = make(("*.example.org",), issuer="The server")
    put(source, leaf.chain, leaf.key_pem())
    assert doubts(source) == []


@pytest.mark.parametrize("names", [(), ("example.org",), ("*.matrix.example.org",), ("*",)])
def test_names_that_are_missing_are_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    source = owned(tmp_path)
    leaf = make(names, issuer="The server")
    put(source, leaf.chain, leaf.key_pem())
    assert [doubt.removeprefix("is not for ").split(":")[0] for doubt in doubts(source)] == [
        "matrix.example.org",
        "chat.example.org",
    ]


def test_a_chain_without_its_intermediate_is_told(tmp_path: Path) -> None:
    source = owned(tmp_path)
    leaf = make()
    put(source, leaf.chain, leaf.key_pem())
    (doubt,) = doubts(source)
    assert "no intermediate certificate" in doubt


def test_an_expired_one_can_still_be_used(tmp_path: Path) -> None:
    source = owned(tmp_path)
    leaf = make(issuer="The server", days=-2)
    put(source, leaf.chain, leaf.key_pem())
    assert judge(source).facts.not_after < NOW.timestamp()


def test_what_no_server_can_use_is_refused(tmp_path: Path) -> None:
    source, good, other = owned(tmp_path), make(), make()
    for file, message, chain, key in (
        ("certificate", "holds no certificate", b"hello", good.key_pem()),
        ("certificate", "holds no certificate", b"", good.key_pem()),
        ("certificate", "is not PEM", b"\xff\x00", good.key_pem()),
        ("key", "holds no private key", good.chain, good.chain),
        ("key", "passphrase", good.chain, good.key_pem(b"secret")),
        ("key", "is not the key of the certificate", good.chain, other.key_pem()),
        ("certificate", "not at its beginning", other.chain + good.chain, good.key_pem()),
    ):
        put(source, chain, key)
        with pytest.raises(PairError, match=message) as caught:
            judge(source)
        assert caught.value.file == file, message


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    source = owned(tmp_path)
    with pytest.raises(PairError, match=r"fullchain\.pem: cannot be read: No such file"):
        judge(source)
    Path(source.certificate).write_bytes(make().chain)
    with pytest.raises(PairError, match=r"privkey\.pem: cannot be read: No such file"):
        judge(source)


def test_both_files_are_told_at_once(tmp_path: Path) -> None:
    source = owned(tmp_path)
    assert [fault.file for fault in find_faults(source)] == ["certificate", "key"]
    leaf = make()
    put(source, leaf.chain, make().key_pem())
    (fault,) = find_faults(source)
    assert "is not the key of the certificate" in str(fault)
    put(source, leaf.chain, leaf.key_pem())
    assert find_faults(source) == []
