# As much of NixOS as judges our modules: every value must be of an option that NixOS has, or of ours.
nixpkgs:
{ modules }:
let
  lib = nixpkgs.lib;
  known = import ./options.nix;
  load =
    module:
    let
      content = if builtins.isPath module then import module else module;
      loaded =
        if builtins.isFunction content then
          content {
            inherit lib config pkgs;
            modulesPath = "${nixpkgs}/nixos/modules";
          }
        else
          content;
    in
    [ loaded ] ++ builtins.concatMap load (map requireFile (loaded.imports or [ ]));
  requireFile = file: if builtins.pathExists file then { } else throw "no module ${file}";
  loaded = builtins.concatMap load modules;
  merge =
    one: other:
    if builtins.isAttrs one && builtins.isAttrs other && !(one ? outPath || other ? outPath) then
      one
      // builtins.mapAttrs (
        name: value: if one ? ${name} then merge one.${name} value else value
      ) other
    else
      other;
  valuesOf = module: module.config or (builtins.removeAttrs module [ "imports" "options" ]);
  plain = builtins.filter (module: !(module ? options)) loaded;
  options = builtins.foldl' merge { } (map (module: module.options or { }) loaded);
  ours = options.services.matrix-appliance;
  config.services.matrix-appliance = merge (builtins.mapAttrs (_: option: option.default) ours) (
    (builtins.foldl' merge { } (map valuesOf plain)).services.matrix-appliance or { }
  );
  all = builtins.foldl' merge { } (map valuesOf loaded);
  pkgs = import nixpkgs { system = (builtins.foldl' merge { } plain).nixpkgs.hostPlatform; };

  check =
    path: value:
    let
      name = builtins.concatStringsSep "." path;
      own = ours.${builtins.elemAt path 2}.type.name;
      kind = if isOurs then own else known.${name};
      isOurs = lib.hasPrefix "services.matrix-appliance." name;
      found = builtins.typeOf value;
    in
    if isOurs && !(ours ? ${builtins.elemAt path 2}) || !isOurs && !(known ? ${name}) then
      if builtins.isAttrs value && !(value ? outPath) then
        builtins.concatMap (key: check (path ++ [ key ]) value.${key}) (builtins.attrNames value)
      else
        [ "NixOS has no option ${name}" ]
    else if found != kind then
      [ "${name} must be a ${kind}, and is a ${found}" ]
    else
      builtins.deepSeq value [ ];
  wrong = check [ ] all;
in
{
  inherit pkgs;
  config = config // {
    inherit wrong;
    system.build.toplevel =
      if wrong == [ ] then
        pkgs.runCommand "nixos-system" { } (builtins.toJSON (
          all.virtualisation.oci-containers.containers
        ))
      else
        throw (builtins.concatStringsSep "; " wrong);
  };
}
