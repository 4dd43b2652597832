# For the checks in Python: source it with $here and $root set.

# Byte code of what is imported goes to target, not beside the sources.
export PYTHONPYCACHEPREFIX="$root/target/tools/pycache"

# Creates the virtual environment of a requirements file and prints its bin directory. The name contains a checksum of the file, so
# changed requirements create a new environment. uv takes seconds for what takes pip minutes; where it cannot reach an index that only
# pip is configured for, pip does the work.
#
#   environment NAME REQUIREMENTS
environment() {
    venv=$root/target/tools/$1-$(cksum <"$here/$2" | cut -d ' ' -f 1)
    uv=$root/target/tools/uv
    if [ ! -e "$venv/complete" ]; then
        rm -rf "$venv"
        {
            { [ -x "$uv/bin/uv" ] || { python3 -m venv "$uv" && "$uv/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9; }; }
            python3 -m venv "$venv" && {
                "$uv/bin/uv" pip install --quiet --python "$venv/bin/python" -r "$here/$2" \
                    || "$venv/bin/pip" install --quiet --disable-pip-version-check --no-compile -r "$here/$2"
            } && touch "$venv/complete"
        } >&2 || return 1
    fi
    echo "$venv/bin"
}
