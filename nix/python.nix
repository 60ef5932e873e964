# The one Python of the image, /opt/appliance: Synapse, certbot and supervisor are modules of it.
{
  lib,
  python3,
  runCommand,
  matrix-appliance-components,
}:
let
  inherit (matrix-appliance-components) packages;
  # Our own package is found where the other image has it, so that nothing of it is in two places.
  path = python3.pkgs.toPythonModule (
    runCommand "matrix-appliance-path" { } ''
      mkdir -p $out/${python3.sitePackages}
      echo /usr/share/appliance/python > $out/${python3.sitePackages}/appliance.pth
    ''
  );
in
python3.withPackages (
  python:
  [
    path
    (python.toPythonModule packages.synapse)
    packages.acme
    packages.certbot
    packages.psycopg2
    packages.supervisor
    python.click
    python.jinja2
    python.psycopg
    python.pydantic-settings
    python.pyyaml
    python.segno
  ]
  ++ packages.synapse.optional-dependencies.url-preview
  ++ lib.optional (packages ? certbot-dns-cloudflare) packages.certbot-dns-cloudflare
)
