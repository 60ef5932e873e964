# services.matrix-appliance: the image of this machine's own nixpkgs, run by Podman.
overlay:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.matrix-appliance;
in
{
  options.services.matrix-appliance = {
    enable = lib.mkEnableOption "the Matrix server in one container";
    image = lib.mkOption {
      type = lib.types.package;
      default = (pkgs.extend overlay).matrix-appliance-image;
      defaultText = lib.literalMD "the image of this machine's nixpkgs, its overlays included";
      description = "The image, as `dockerTools.streamLayeredImage` makes one.";
    };
    environment = lib.mkOption {
      type = lib.types.attrsOf lib.types.str;
      default = { };
      example = {
        MATRIX_DOMAIN = "example.org";
      };
      description = "Variables of docs/environment.md; secrets belong into a file.";
    };
    environmentFiles = lib.mkOption {
      type = lib.types.listOf lib.types.path;
      default = [ ];
      description = "Files with more variables, which are not in the Nix store.";
    };
    dataDir = lib.mkOption {
      type = lib.types.str;
      default = "/var/lib/matrix-appliance";
      description = "All that must survive.";
    };
    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether to open the ports that the appliance has by default.";
    };
  };

  config = lib.mkIf cfg.enable {
    virtualisation.oci-containers.backend = "podman";
    virtualisation.oci-containers.containers.matrix-appliance = {
      image = "${cfg.image.imageName}:${cfg.image.imageTag}";
      imageStream = cfg.image;
      inherit (cfg) environment environmentFiles;
      volumes = [ "${cfg.dataDir}:/data" ];
      extraOptions = [
        "--network=host"
        "--stop-timeout=60"
        "--cap-drop=ALL"
        "--cap-add=CHOWN,DAC_OVERRIDE,FOWNER,KILL,NET_BIND_SERVICE,SETGID,SETUID"
      ];
    };
    systemd.tmpfiles.settings.matrix-appliance.${cfg.dataDir}.d.mode = "0755";
    networking.firewall = lib.mkIf cfg.openFirewall {
      allowedTCPPorts = [
        80
        443
        3478
        5349
        7881
        8448
      ];
      allowedUDPPorts = [
        3478
        5349
        7882
      ];
      allowedUDPPortRanges = [
        {
          from = 49160;
          to = 49200;
        }
      ];
    };
  };
}
