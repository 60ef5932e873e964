# What a checkout needs: ./inv brings the Python packages by itself.
{
  mkShell,
  git,
  nixfmt-tree,
  nodejs,
  python3,
}:
mkShell {
  packages = [
    git
    nixfmt-tree
    nodejs
    python3
  ];
}
