# Packages without contents. What takes arguments takes those alone that nixpkgs' own takes.
{
  system,
  overlays ? [ ],
}:
let
  lib = import ./lib.nix;
  # The versions are those of the newest nixpkgs that was evaluated by hand, or what it must have.
  versions = builtins.fromJSON (builtins.readFile ./versions.json);
  make =
    name: more:
    derivation {
      inherit name system;
      builder = "/bin/sh";
      args = [
        "-c"
        (more.script or "")
      ];
    }
    // {
      version = "0";
      meta = { };
    }
    // builtins.removeAttrs more [ "script" ];
  package = name: make name { version = versions.${name}; };
  bridge =
    name:
    package name
    // {
      override = {
        __functor =
          _:
          { withGoolm }:
          package name;
        __functionArgs.withGoolm = true;
      };
    };
  takes =
    name: allowed: given:
    let
      strange = builtins.filter (one: !(builtins.elem one allowed)) (builtins.attrNames given);
    in
    if strange == [ ] then given else throw "${name} takes no ${toString strange}";
  python = lib.genAttrs [
    "acme"
    "certbot"
    "click"
    "jinja2"
    "psycopg"
    "psycopg2"
    "pydantic-settings"
    "pyyaml"
    "segno"
    "supervisor"
  ] package // {
    certbot-dns-cloudflare.meta.broken = true;
    toPythonModule = module: module;
  };
  packages =
    lib.genAttrs [
      "bashInteractive"
      "cacert"
      "coreutils"
      "coturn"
      "element-web"
      "git"
      "gnutar"
      "gzip"
      "livekit"
      "nginx"
      "nixfmt-tree"
      "nodejs"
      "postgresql_17"
      "procps"
      "tzdata"
      "util-linux"
    ] package
    // lib.genAttrs [
      "mautrix-telegram"
      "mautrix-whatsapp"
    ] bridge
    // {
      inherit lib;
      stdenv.hostPlatform = {
        inherit system;
        isx86_64 = system == "x86_64-linux";
      };
      matrix-synapse-unwrapped = package "matrix-synapse-unwrapped" // {
        optional-dependencies.url-preview = [ (package "lxml") ];
      };
      python3 = package "python3" // {
        pkgs = python;
        sitePackages = "lib/python3.13/site-packages";
        withPackages = choose: make "python3-env" { script = toString (choose python); };
      };
      buildEnv =
        given:
        make (takes "buildEnv" [ "ignoreCollisions" "name" "paths" "pathsToLink" ] given).name {
          script = toString given.paths;
        };
      fakeNss.override =
        { extraPasswdLines, extraGroupLines }:
        make "fake-nss" { script = toString (extraPasswdLines ++ extraGroupLines); };
      mkShell = { packages }: make "shell" { script = toString packages; };
      runCommand = name: environment: script: make name (environment // { inherit script; });
      writeText = name: script: make name { inherit script; };
      dockerTools = {
        usrBinEnv = make "usr-bin-env" { };
        streamLayeredImage =
          {
            name,
            tag,
            contents,
            extraCommands,
            passthru,
            config,
          }:
          make name {
            imageName = name;
            imageTag = tag;
            script = builtins.toJSON [
              (map toString contents)
              extraCommands
              (takes "the image's configuration" [
                "Entrypoint"
                "Env"
                "Healthcheck"
                "Labels"
                "StopSignal"
                "Volumes"
              ] config)
            ];
          }
          // passthru;
      };
    };
  extended =
    layers:
    let
      final =
        builtins.foldl' (before: overlay: before // overlay final before) packages layers
        // {
          extend = overlay: extended (layers ++ [ overlay ]);
          callPackage =
            file: more:
            let
              make = import file;
            in
            make (builtins.intersectAttrs (builtins.functionArgs make) final // more);
        };
    in
    final;
in
extended overlays
