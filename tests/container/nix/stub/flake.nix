{
  description = "As much of nixpkgs as our files use: names and shapes, nothing to build";
  outputs =
    { self }:
    {
      lib = import ./lib.nix // {
        nixosSystem = import ./machine.nix self;
      };
    };
}
