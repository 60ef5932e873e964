# Which package of nixpkgs is which component. One that is older than its floor ends the evaluation.
{
  lib,
  python3,
  matrix-synapse-unwrapped,
  postgresql_17,
  nginx,
  coturn,
  cacert,
  coreutils,
  element-web,
  livekit,
  mautrix-whatsapp,
  mautrix-telegram,
}:
let
  registry = import ./registry.nix;
  python = python3.pkgs;
  # Without libolm, of which nixpkgs says that it is insecure: the bridges' own images are the same.
  withoutOlm =
    bridge:
    if (lib.functionArgs bridge.override) ? withGoolm then
      bridge.override { withGoolm = true; }
    else
      bridge;
  cloudflare = python.certbot-dns-cloudflare;

  chosen = {
    synapse = matrix-synapse-unwrapped;
    postgres = postgresql_17;
    certificates = cacert;
    debian = coreutils;
    python = python3;
    inherit (python)
      acme
      certbot
      psycopg2
      supervisor
      ;
    inherit
      coturn
      element-web
      livekit
      nginx
      ;
    mautrix-telegram = withoutOlm mautrix-telegram;
    mautrix-whatsapp = withoutOlm mautrix-whatsapp;
  }
  // lib.optionalAttrs (!(cloudflare.meta.broken or false)) { certbot-dns-cloudflare = cloudflare; };

  left-out = {
    certbot-dns-multi = "nixpkgs has no certbot-dns-multi";
    jemalloc = "Nix's loader does not find it by its name";
  }
  // lib.optionalAttrs (!(chosen ? certbot-dns-cloudflare)) {
    certbot-dns-cloudflare = "nixpkgs says that its package is broken";
  };

  isTooOld =
    name:
    registry.${name} ? floor
    && builtins.compareVersions chosen.${name}.version registry.${name}.floor < 0;
  explain =
    name:
    "${name} is ${chosen.${name}.version} in this nixpkgs, and must be at least "
    + "${registry.${name}.floor}: take a newer nixpkgs, or raise it in an overlay of yours";
  tooOld = builtins.filter isTooOld (builtins.attrNames chosen);
  describe = name: status: version: reason: {
    inherit
      name
      status
      version
      reason
      ;
    inherit (registry.${name}) licence homepage;
    kind = "nix";
    newest = null;
    size_bytes = 0;
    source =
      builtins.replaceStrings [ "{version}" ] [ (if version == null then "" else version) ]
        registry.${name}.source;
  };
in
if tooOld != [ ] then
  throw "matrix-appliance: ${builtins.concatStringsSep "; " (map explain tooOld)}"
else
  {
    packages = chosen;
    rows =
      map (name: describe name "built" chosen.${name}.version "") (builtins.attrNames chosen)
      ++ map (name: describe name "missing" null left-out.${name}) (builtins.attrNames left-out);
  }
