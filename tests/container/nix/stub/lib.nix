# The functions of nixpkgs' lib that our files use, and no other: a misspelt one is an error.
let
  type = name: { inherit name; };
in
rec {
  functionArgs = taken: taken.__functionArgs or (builtins.functionArgs taken);
  concatMapStrings = make: list: builtins.concatStringsSep "" (map make list);
  escapeShellArgs = list: builtins.concatStringsSep " " (map (word: "'${word}'") list);
  genAttrs =
    names: make:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = make name;
      }) names
    );
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  optional = condition: value: if condition then [ value ] else [ ];
  optionalAttrs = condition: values: if condition then values else { };

  literalMD = text: text;
  mkDefault = value: value;
  mkIf = condition: value: if condition then value else { };
  mkOption =
    {
      type,
      description,
      default ? throw "this option has no default",
      defaultText ? null,
      example ? null,
    }:
    {
      isOption = true;
      inherit type default;
    };
  mkEnableOption =
    description:
    mkOption {
      inherit description;
      type = types.bool;
      default = false;
    };
  types = {
    bool = type "bool";
    package = type "set";
    path = type "string";
    str = type "string";
    attrsOf = _: type "set";
    listOf = _: type "list";
  };
}
