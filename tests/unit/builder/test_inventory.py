"""What the build stages make of packages: sizes shared out once, licences, sources."""

from builder.stages.take_inventory import Claims, Package, format_packages, format_sources


def package(name: str, size: int, *needs: str, text: str = "MIT") -> Package:
    return Package(name, "1", frozenset(needs), size, text)


def test_shared_package_counts_once() -> None:
    claims = Claims(
        {
            "server": package("server", 100, "library"),
            "client": package("client", 10, "library", "not-installed"),
            "library": package("library", 5, "server"),
            "other": package("other", 1),
        }
    )
    assert claims.claim(["server"]) == 105
    assert claims.claim(["client"]) == 10
    assert claims.claim_rest() == 1
    assert claims.claim_rest() == 0


def test_provided_name_counts_its_package_once() -> None:
    awk = package("mawk", 7)
    claims = Claims({"mawk": awk, "awk": awk})
    assert claims.claim(["awk", "mawk"]) == 7


def test_same_text_stands_once() -> None:
    text = format_packages([package("b", 1), package("a", 1), package("c", 1, text="BSD")])
    assert text.count("MIT") == 1
    assert text.index("a 1\nb 1") < text.index("MIT") < text.index("c 1") < text.index("BSD")


def test_sources_name_what_is_there_only() -> None:
    row = {"version": "1", "source": "https://example.org/1"}
    text = format_sources(
        [
            {**row, "name": "server", "status": "built"},
            {**row, "name": "client", "status": "missing"},
        ]
    )
    assert "server 1: https://example.org/1" in text
    assert "client" not in text
