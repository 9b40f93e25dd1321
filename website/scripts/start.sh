# Sourced by the entrances: finds a Python that is new enough and hands over to it.
# Not a Python file, so that a machine without Python is told so in a sentence.
scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for candidate in python3 python python3.14 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$candidate" "$scripts" "$@"
  fi
done
echo "Python 3.11 or newer is needed and none was found: install it (Debian: apt-get install python3 python3-pip), then run this again." >&2
exit 1
