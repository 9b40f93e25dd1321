# Sourced by website/play and other entry points with the path of a Python program below website/ and its arguments. Finds
# a Python that is new enough. It is a shell script so that a machine without Python prints an error that says so.
website=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
for candidate in python3 python python3.14 python3.13 python3.12 python3.11; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    exec "$candidate" "$website/$1" "${@:2}"
  fi
done
echo "Python 3.11 or newer is required, and none was found on the PATH. Install it (Debian: apt-get install python3 python3-pip) and run this command again." >&2
exit 1
