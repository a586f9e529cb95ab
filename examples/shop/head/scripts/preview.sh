#!/usr/bin/env bash
# Put the storefront of this commit on the preview host, below the commit's name.
set -euo pipefail
cd "$(dirname "$0")/.."

host=${1:?which host}
commit=$(git rev-parse --short HEAD)

npm --prefix web ci
npm --prefix web run build
if ! rsync --archive --delete web/dist/ "preview@${host}:/srv/preview/${commit}/"; then
  echo "preview of ${commit} was not copied to ${host}" >&2
  exit 1
fi

echo "https://${host}/${commit}/"
