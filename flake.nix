{
  description = "A complete Matrix server in one image: the same image of nixpkgs' packages";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      forEachSystem = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ];
      packagesOf = forEachSystem (
        system:
        import nixpkgs {
          inherit system;
          overlays = [ self.overlays.default ];
        }
      );
      machineOf = forEachSystem (
        system:
        lib.nixosSystem {
          modules = [
            self.nixosModules.default
            ./nix/machine.nix
            { nixpkgs.hostPlatform = system; }
          ];
        }
      );
    in
    {
      overlays.default = import ./nix/overlay.nix;

      nixosModules.default = import ./nix/module.nix self.overlays.default;

      packages = forEachSystem (system: rec {
        default = image;
        image = packagesOf.${system}.matrix-appliance-image;
        vm-qcow2 = import ./nix/disk.nix {
          inherit nixpkgs;
          machine = machineOf.${system};
        };
      });

      checks = forEachSystem (system: {
        inherit (self.packages.${system}) image;
        selfcheck = packagesOf.${system}.matrix-appliance-selfcheck;
        machine = machineOf.${system}.config.system.build.toplevel;
      });

      devShells = forEachSystem (system: {
        default = packagesOf.${system}.callPackage ./nix/shell.nix { };
      });

      formatter = forEachSystem (system: packagesOf.${system}.nixfmt-tree);
    };
}
