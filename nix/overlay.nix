final: _: {
  matrix-appliance-components = final.callPackage ./components.nix { };
  matrix-appliance-python = final.callPackage ./python.nix { };
  matrix-appliance-root = final.callPackage ./root.nix { };
  matrix-appliance-image = final.callPackage ./image.nix { };
  matrix-appliance-selfcheck = final.callPackage ./selfcheck.nix { };
}
