# The arguments of nixpkgs' own that ours uses.
{
  config,
  pkgs,
  lib,
  name,
  baseName,
  format,
  partitionTableType,
  additionalSpace,
  copyChannel,
}:
assert builtins.elem format [ "qcow2" "qcow2-compressed" "raw" ];
assert builtins.elem partitionTableType [ "efi" "hybrid" "legacy" ];
pkgs.runCommand name { } "${config.system.build.toplevel} ${baseName}"
