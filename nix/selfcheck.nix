# The one list of what an image must hold, as the Dockerfile's build judges it: appliance/selfcheck.py.
{
  runCommand,
  dockerTools,
  matrix-appliance-image,
  matrix-appliance-python,
  matrix-appliance-root,
}:
runCommand "matrix-appliance-selfcheck" { } ''
  mkdir -p root/data root/run root/tmp
  for part in ${matrix-appliance-root} ${matrix-appliance-image.programs} ${dockerTools.usrBinEnv}; do
      cp -rs --no-preserve=mode $part/. root/
  done
  PATH=/opt/appliance/bin:/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      PYTHONPATH=$PWD/root/usr/share/appliance/python \
      ${matrix-appliance-python}/bin/python root/usr/bin/appliance selfcheck --root root
  touch $out
''
