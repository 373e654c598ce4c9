#!/bin/sh
# Greets the audio API and, with a file, uploads it:  API_KEY=... ./client.sh [audio-file]
set -eu

base_url=${BASE_URL:-http://localhost:3000}
newline='
'

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

call() {
  # The key goes through a pipe: on curl's command line everybody on this machine could read it.
  answer=$(printf 'X-API-Key: %s\n' "$API_KEY" |
    curl --silent --show-error --header @- --write-out "$newline%{http_code}" "$@") ||
    fail "Could not call $base_url."
  status=${answer##*"$newline"}
  body=${answer%"$newline"*}
  case $status in
    2??) printf '%s\n' "$body" ;;
    *) fail "Refused with $status: $body" ;;
  esac
}

[ -n "${API_KEY:-}" ] || fail 'Set API_KEY to your API key.'
call "$base_url/hello"
if [ $# -gt 0 ]; then
  [ -r "$1" ] || fail "Cannot read $1."
  quoted=$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')
  call --form "audio=@\"$quoted\"" "$base_url/upload-audio"
fi
