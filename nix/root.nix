# Every file of the image but its programs: ours as the Dockerfile copies them, the others' as links.
{
  lib,
  runCommand,
  writeText,
  fakeNss,
  cacert,
  nginx,
  postgresql_17,
  matrix-appliance-components,
  matrix-appliance-python,
}:
let
  inherit (matrix-appliance-components) packages rows;
  users = import ./users.nix;
  names = fakeNss.override {
    extraPasswdLines = map (
      user: "${user.name}:x:${user.number}:${user.number}:${user.title}:${user.home}:/bin/false"
    ) users;
    extraGroupLines = map (user: "${user.name}:x:${user.number}:") users;
  };
  present = builtins.filter (row: row.status == "built") rows;
  inventory = writeText "components.json" (builtins.toJSON rows);
  sources = writeText "SOURCES" ''
    Sources of what is in this image, which Nix built of nixpkgs' recipes (https://github.com/NixOS/nixpkgs):

    ${lib.concatMapStrings (row: "  ${row.name} ${row.version}: ${row.source}\n") present}
  '';
  writeLicence = row: ''
    printf '%s\n' ${
      lib.escapeShellArgs [
        "${row.name} ${row.version}"
        "licence: ${row.licence}"
        "homepage: ${row.homepage}"
        "source: ${row.source}"
      ]
    } > licences/${row.name}.txt
  '';
  bridges = builtins.filter (lib.hasPrefix "mautrix-") (builtins.attrNames packages);
  writeExample = name: "${packages.${name}}/bin/${name} -e -c $share/bridges/${name}.yaml\n";
in
runCommand "matrix-appliance-root" { } ''
  share=$out/usr/share/appliance
  mkdir -p $share/python $share/licences $share/bridges $out/etc/nginx $out/etc/ssl/certs $out/opt \
      $out/usr/lib/postgresql
  cp -r ${../rootfs}/. $out/
  chmod -R u+w $out
  cp -r ${../templates} $share/templates
  cp -r ${../appliance} $share/python/appliance
  chmod -R u+w $out
  cp ${inventory} $share/components.json
  cp ${sources} $share/licences/SOURCES

  cd $share
  ${lib.concatMapStrings writeLicence present}
  ${lib.concatMapStrings writeExample bridges}
  PYTHONPATH=python ${matrix-appliance-python}/bin/python -B -m appliance.render templates compiled-templates
  ${matrix-appliance-python}/bin/python -m compileall -q --invalidation-mode unchecked-hash \
      -s $out python compiled-templates

  tar -C ${packages.element-web} --dereference --transform 's,^\.,client,' -czf $TMPDIR/client.tar.gz .
  sh ${../builder/stages/unpack-web} $TMPDIR/client.tar.gz $out/usr/share/element

  cp -r ${names}/. $out/
  ln -s ${matrix-appliance-python} $out/opt/appliance
  ln -s ${nginx}/conf/mime.types $out/etc/nginx/mime.types
  ln -s ${cacert}/etc/ssl/certs/ca-bundle.crt $out/etc/ssl/certs/ca-certificates.crt
  ln -s ${postgresql_17} $out/usr/lib/postgresql/17
''
