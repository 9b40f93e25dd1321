# Sourced by the entry points (website/play, website/test and others): finds a Python that is new enough and replaces
# this shell by it. This is a shell script so that a machine without Python prints an error message that says so.
scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for candidate in python3 python python3.14 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$candidate" "$scripts" "$@"
  fi
done
echo "Python 3.11 or newer is required, and none was found on the PATH. Install it (Debian: apt-get install python3 python3-pip) and run this command again." >&2
exit 1
