# A disk of the machine, made by nixpkgs' own make-disk-image: BIOS and UEFI on a PC, UEFI elsewhere.
{ nixpkgs, machine }:
import "${nixpkgs}/nixos/lib/make-disk-image.nix" {
  inherit (machine) config pkgs;
  inherit (machine.pkgs) lib;
  name = "matrix-appliance-disk";
  baseName = "matrix-appliance";
  format = "qcow2-compressed";
  partitionTableType =
    if machine.pkgs.stdenv.hostPlatform.isx86_64 then "hybrid" else "efi";
  additionalSpace = "4G";
  copyChannel = false;
}
