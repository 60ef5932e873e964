# The image: started, stopped and asked as the Dockerfile's, and with the same files at the same paths.
{
  dockerTools,
  buildEnv,
  runCommand,
  bashInteractive,
  coreutils,
  gnutar,
  gzip,
  procps,
  tzdata,
  util-linux,
  matrix-appliance-components,
  matrix-appliance-root,
}:
let
  inherit (matrix-appliance-components) packages;
  livekit = runCommand "livekit" { } ''
    mkdir -p $out/bin
    ln -s ${packages.livekit}/bin/livekit-server $out/bin/livekit
  '';
  programs = buildEnv {
    name = "matrix-appliance-programs";
    pathsToLink = [ "/bin" ];
    # Two packages may bring a small tool of the same name: then the first one's is taken.
    ignoreCollisions = true;
    paths = [
      bashInteractive
      coreutils
      gnutar
      gzip
      livekit
      procps
      util-linux
      packages.coturn
      packages.mautrix-telegram
      packages.mautrix-whatsapp
      packages.nginx
    ];
  };
in
dockerTools.streamLayeredImage {
  name = "matrix-appliance";
  tag = "nix";
  contents = [
    matrix-appliance-root
    programs
    dockerTools.usrBinEnv
  ];
  extraCommands = ''
    mkdir -p data run tmp var/log var/tmp
    chmod 1777 tmp var/tmp
  '';
  passthru = { inherit programs; };
  config = {
    Entrypoint = [ "appliance-entrypoint" ];
    Env = [
      "PATH=/opt/appliance/bin:/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin"
      "LANG=C.UTF-8"
      "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
      "TZDIR=${tzdata}/share/zoneinfo"
    ];
    Volumes."/data" = { };
    StopSignal = "SIGTERM";
    Healthcheck = {
      Test = [
        "CMD"
        "appliance"
        "health"
      ];
      # In nanoseconds.
      Interval = 30 * 1000000000;
      Timeout = 10 * 1000000000;
      StartPeriod = 60 * 1000000000;
    };
    Labels = {
      "org.opencontainers.image.title" = "matrix-appliance";
      "org.opencontainers.image.description" = "A complete Matrix server in one image";
    };
  };
}
