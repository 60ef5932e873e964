# A NixOS machine that is nothing but the appliance; nix/disk.nix makes a disk of it.
{
  lib,
  modulesPath,
  pkgs,
  ...
}:
{
  imports = [ "${modulesPath}/profiles/qemu-guest.nix" ];

  services.matrix-appliance = {
    enable = true;
    environmentFiles = [ "/etc/appliance.env" ];
    openFirewall = true;
  };
  # Made empty: that is the private trial.
  systemd.tmpfiles.settings.appliance-environment."/etc/appliance.env".f.mode = "0600";

  # Keys for SSH and the settings come from whoever starts the machine.
  services.cloud-init = {
    enable = true;
    network.enable = true;
  };
  networking.useNetworkd = true;
  networking.hostName = lib.mkDefault "matrix";
  services.openssh = {
    enable = true;
    settings.PasswordAuthentication = false;
  };
  services.qemuGuest.enable = true;

  boot.growPartition = true;
  boot.loader.grub = {
    efiSupport = true;
    efiInstallAsRemovable = true;
    # BIOS is the PC's alone.
    device = if pkgs.stdenv.hostPlatform.isx86_64 then "/dev/vda" else "nodev";
  };
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
    autoResize = true;
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/ESP";
    fsType = "vfat";
  };

  system.stateVersion = "26.05";
}
