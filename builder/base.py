"""Finds or makes the Debian image that everything else is built on."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from builder import apt
from builder.docker import Docker
from builder.errors import BuildError
from builder.registry import Base

NAME = "matrix-appliance-base"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Mirror:
    """Where Debian's packages come from."""

    main: str
    security: str


def find_mirror(environment: Mapping[str, str]) -> Mirror:
    """Return the mirror that the environment names, or Debian's own.

    `DEBIAN_MIRROR` alone stands for a mirror with the usual `…/debian` and `…/debian-security`.
    """
    main = environment.get("DEBIAN_MIRROR", "http://deb.debian.org/debian").rstrip("/")
    beside = f"{main.removesuffix('/debian')}/debian-security"
    return Mirror(main, environment.get("DEBIAN_SECURITY_MIRROR", beside).rstrip("/"))


def ensure_base(docker: Docker, base: Base, mirror: Mirror) -> str:
    """Return the name of the base image, which is then there.

    That is the pinned image where a registry serves it, and else the same made from Debian's
    archive. Raise BuildError if neither can be had.
    """
    made = f"{NAME}:{base.suite}"
    for image in (base.image, made):
        if docker.succeeds("image", "inspect", image):
            return image
    print(f"Fetching the base {base.image.split('@')[0]} …", flush=True)
    try:
        docker.read("pull", "--quiet", base.image)
    except BuildError as error:
        print(f"{error}\nMaking the same base from {mirror.main} …", flush=True)
        make_base(docker, base, mirror, made)
        return made
    return base.image


def make_base(docker: Docker, base: Base, mirror: Mirror, image: str) -> None:
    """Make Debian's smallest system and import it. Raise BuildError if a step fails."""
    _ensure_mmdebstrap(docker.environment)
    suites = [
        f"deb {mirror.main} {base.suite} main",
        f"deb {mirror.main} {base.suite}-updates main",
        f"deb {mirror.security} {base.suite}-security main",
    ]
    options = ["--variant=minbase", "--skip=output/dev", f"--keyring={_KEYRING}", "--quiet"]
    if architecture := _find_architecture(docker.environment):
        options.append(f"--architectures={architecture}")
    command = ["mmdebstrap", *options, base.suite, "-", *suites]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        docker.run("import", "-", image, stdin=process.stdout)
    if process.returncode:
        docker.run("image", "rm", image)
        raise BuildError(f"mmdebstrap ended with status {process.returncode}, see above")


def _find_architecture(environment: Mapping[str, str]) -> str | None:
    """Return Debian's name of the platform that Docker was told to build for, if it was."""
    platform = environment.get("DOCKER_DEFAULT_PLATFORM", "").removeprefix("linux/")
    return {"arm/v7": "armhf", "": None}.get(platform, platform)


def _ensure_mmdebstrap(environment: Mapping[str, str]) -> None:
    if shutil.which("mmdebstrap"):
        return
    packages = ["mmdebstrap", "debian-archive-keyring"]
    if not apt.may_install():
        raise BuildError(
            "no image registry answers, and without it the base is made by mmdebstrap: install "
            f"{' and '.join(packages)}"
        )
    apt.install(packages, environment)
