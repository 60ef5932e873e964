# The users of rootfs/usr/lib/sysusers.d: a list of { name, number, title, home }.
let
  lines = builtins.filter builtins.isString (
    builtins.split "\n" (builtins.readFile ../rootfs/usr/lib/sysusers.d/matrix-appliance.conf)
  );
  parse = line: builtins.match "u ([a-z]+) +([0-9]+) \"([^\"]*)\" +([^ ]+)" line;
  describe = fields: {
    name = builtins.elemAt fields 0;
    number = builtins.elemAt fields 1;
    title = builtins.elemAt fields 2;
    home = builtins.elemAt fields 3;
  };
in
map describe (builtins.filter (fields: fields != null) (map parse lines))
