# Options of NixOS that our modules set, with the kind of value that each takes.
{
  "boot.growPartition" = "bool";
  "boot.loader.grub.device" = "string";
  "boot.loader.grub.efiInstallAsRemovable" = "bool";
  "boot.loader.grub.efiSupport" = "bool";
  "fileSystems./.autoResize" = "bool";
  "fileSystems./.device" = "string";
  "fileSystems./.fsType" = "string";
  "fileSystems./boot.device" = "string";
  "fileSystems./boot.fsType" = "string";
  "networking.firewall.allowedTCPPorts" = "list";
  "networking.firewall.allowedUDPPortRanges" = "list";
  "networking.firewall.allowedUDPPorts" = "list";
  "networking.hostName" = "string";
  "networking.useNetworkd" = "bool";
  "nixpkgs.hostPlatform" = "string";
  "services.cloud-init.enable" = "bool";
  "services.cloud-init.network.enable" = "bool";
  "services.openssh.enable" = "bool";
  "services.openssh.settings" = "set";
  "services.qemuGuest.enable" = "bool";
  "system.stateVersion" = "string";
  "systemd.tmpfiles.settings" = "set";
  "virtualisation.oci-containers.backend" = "string";
  "virtualisation.oci-containers.containers.matrix-appliance.environment" = "set";
  "virtualisation.oci-containers.containers.matrix-appliance.environmentFiles" = "list";
  "virtualisation.oci-containers.containers.matrix-appliance.extraOptions" = "list";
  "virtualisation.oci-containers.containers.matrix-appliance.image" = "string";
  "virtualisation.oci-containers.containers.matrix-appliance.imageStream" = "set";
  "virtualisation.oci-containers.containers.matrix-appliance.volumes" = "list";
}
