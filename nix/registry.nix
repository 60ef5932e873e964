# Reads of components/components.yaml what stands on one line: { synapse = { floor = "…"; … }; … }.
# Nix has no reader of YAML, and this much of it has a fixed form; a test compares the two.
let
  lines = builtins.filter builtins.isString (
    builtins.split "\n" (builtins.readFile ../components/components.yaml)
  );
  step =
    { name, found }:
    line:
    let
      begin = builtins.match "  ([a-z0-9-]+):" line;
      value = builtins.match "    ([a-z_]+): \"?([^\"]+)\"?" line;
    in
    if begin != null then
      {
        name = builtins.head begin;
        found = found // {
          ${builtins.head begin} = { };
        };
      }
    else if value != null && name != null then
      {
        inherit name;
        found = found // {
          ${name} = found.${name} // {
            ${builtins.head value} = builtins.elemAt value 1;
          };
        };
      }
    else
      { inherit name found; };
in
(builtins.foldl' step {
  name = null;
  found = { };
} lines).found
