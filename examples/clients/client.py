#!/usr/bin/env python3
"""Greets the audio API and, with a file, uploads it:  API_KEY=... python3 client.py [audio-file]"""

import json
import os
import secrets
import sys
import urllib.error
import urllib.request

BASE_URL = os.environ.get("BASE_URL") or "http://localhost:3000"
API_KEY = os.environ.get("API_KEY")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key along, to whatever host it names."""

    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(NoRedirect)


def call(path, body=None, content_type=None):
    request = urllib.request.Request(BASE_URL + path, data=body, headers={"X-API-Key": API_KEY})
    if content_type:
        request.add_header("Content-Type", content_type)
    try:
        with opener.open(request) as response:
            print(response.read().decode())
    except urllib.error.HTTPError as error:
        sys.exit(f"Refused with {error.code}: {reason(error.read().decode(errors='replace'))}")
    except OSError as error:
        sys.exit(f"Could not call {BASE_URL}{path} ({getattr(error, 'reason', error)}).")
    except ValueError:
        # Its message is left out on purpose: for a key that no header can carry it holds the key.
        sys.exit(f"Could not call {BASE_URL}{path}: the address or the key is not one that can be sent.")


def reason(answer):
    try:
        return json.loads(answer)["detail"]
    except (ValueError, KeyError, TypeError):
        return answer


def upload(file):
    try:
        with open(file, "rb") as audio:
            content = audio.read()
    except OSError as error:
        sys.exit(f"Cannot read {file} ({error.strerror}).")
    name = os.path.basename(file)
    for character in '\r\n"':
        name = name.replace(character, f"%{ord(character):02X}")
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="audio"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    call("/upload-audio", body, f"multipart/form-data; boundary={boundary}")


if not API_KEY:
    sys.exit("Set API_KEY to your API key.")
call("/hello")
if len(sys.argv) > 1:
    upload(sys.argv[1])
