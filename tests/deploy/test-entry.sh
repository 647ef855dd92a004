#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-entry.sh: what contrib/ says, without a server: which model the container's entry finds and what it starts, the
# unit as systemd reads it, manifests as their readers read them, the Dockerfile's form and packages.
. "$top_srcdir/tests/command/lib.sh"
contrib=$top_srcdir/contrib entry=$top_srcdir/contrib/container/entry.sh

# ---- the entry: a flowrun that only says what it was given --------------------------------------
cat > flowrun-says <<'E2'
#!/bin/sh
echo "in $PWD, home $HOME"
for word; do echo "[$word]"; done
E2
chmod +x flowrun-says
mkdir -p root/opt/ml root/mnt state
# entry STATUS WORD…: NAME=VALUE words first.
entry ()
{
  wanted=$1
  shift
  last="entry.sh $*"
  env -i PATH="$PATH" FLOWRUN="$tmp/flowrun-says" FLOWRUN_ROOT="$tmp/root" FLOWRUN_STATE="$tmp/state" $env_words "$entry" "$@" \
    > .out 2> .err < /dev/null
  status=$?
  [ $status = "$wanted" ]
  tell $? "$last${env_words:+ ($env_words)}: status $status, expected $wanted"
}
env_words=
entry 2 serve
err 'no model: mount one'
mkdir -p root/opt/ml/model
entry 2 serve
err 'there is no model in'
touch root/opt/ml/model/model.gguf
entry 0 serve
out "^\[model=$tmp/root/opt/ml/model/model.gguf\]$"
out '^\[host=0.0.0.0\]$'
out '^\[port=8080\]$'
out "^\[serve.feedback=$tmp/state/feedback.jsonl\]$"
out "^in $tmp/state, home $tmp/state$"
entry 0
out '^\[serve\]$'
entry 0 serve --set 'serve.cache="off"'
out '^\[serve.cache="off"\]$'
touch root/opt/ml/model/other.gguf
entry 2 serve
err 'holds 2 GGUF files'
touch root/opt/ml/model/config.json
entry 0 serve
out "^\[model=$tmp/root/opt/ml/model\]$"
env_words="FLOWRUN_PORT=9000 FLOWRUN_NAME=文案 FLOWRUN_KEYS=/run/keys"
entry 0 serve
out '^\[port=9000\]$'
out '^\[serve.name="文案"\]$'
out '^\[serve.keys=/run/keys\]$'
env_words="FLOWRUN_PORT=9000 SAGEMAKER_BIND_TO_PORT=9001"
entry 0 serve
out '^\[port=9001\]$'
# Azure ML: a folder of the model's name and version, the model somewhere in it.
mkdir -p azure/copy/1/INPUT_model
touch azure/copy/1/INPUT_model/adapter_config.json
env_words="AZUREML_MODEL_DIR=$tmp/azure/copy/1"
entry 0 serve
out "^\[model=$tmp/azure/copy/1/INPUT_model\]$"
# KServe comes before SageMaker's folder, what is named before all.
mkdir -p root/mnt/models
touch root/mnt/models/m.gguf
env_words=
entry 0 serve
out "^\[model=$tmp/root/mnt/models/m.gguf\]$"
env_words="FLOWRUN_MODEL=$tmp/root/opt/ml/model/other.gguf"
entry 0 serve
out '^\[model=.*/other.gguf\]$'
env_words=
entry 0 list --json
out '^\[list\]$'
env_words="FLOWRUN_STATE=$tmp/nowhere"
entry 2 serve
err 'cannot be written to'

# ---- manifests --------------------------------------------------------------------------------------
if python3 -c 'import yaml' 2> /dev/null; then
  yaml=python3
elif "${FLOWRUN_VENV:-/nowhere}/bin/python" -c 'import yaml' 2> /dev/null; then
  yaml=$FLOWRUN_VENV/bin/python
else
  yaml=
fi
for file in azureml/endpoint.yml azureml/deployment.yml kserve/runtime.yaml kserve/inferenceservice.yaml; do
  if [ -z "$yaml" ]; then
    skip "$file is YAML" "no Python with PyYAML"
    continue
  fi
  last=$file
  "$yaml" -c 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))' "$contrib/$file" > .out 2> .err
  tell $? "$file is YAML"
  case $file in
  azureml/endpoint.yml) out '"auth_mode": "key"' ;;
  azureml/deployment.yml)
    out '"scoring_route": {"port": 8080, "path": "/score"}'
    out '"request_timeout_ms": 90000' ;;
  kserve/runtime.yaml)
    out '"apiVersion": "serving.kserve.io/v1alpha1"'
    out '"name": "kserve-container"'
    out '"protocolVersions": \["v2"\]' ;;
  *) out '"protocolVersion": "v2"' ;;
  esac
done
# By the platform's own client, where $FLOWRUN_VENV has it (azure-ai-ml, kserve).
for platform in azureml kserve; do
  last=manifests.py
  "${FLOWRUN_VENV:-/nowhere}/bin/python" "$top_srcdir/tests/deploy/manifests.py" $platform "$contrib" > .out 2> .err
  case $? in
  77 | 127) skip "$platform's client accepts its manifests" "it is not in FLOWRUN_VENV" ;;
  0) tell 0 "$platform's client accepts its manifests" ;;
  *) tell 1 "$platform's client accepts its manifests" ;;
  esac
done
for file in sagemaker/model.json sagemaker/endpoint-config.json; do
  ok "$file is JSON" python3 -m json.tool "$contrib/$file"
done

# ---- the Dockerfile -----------------------------------------------------------------------------------
docker=$contrib/container/Dockerfile
last=Dockerfile
cp "$docker" .out
out '^ENTRYPOINT \["/usr/local/bin/flowrun-container"\]$'
out '^CMD \["serve"\]$'
out '^USER 10001$'
out '^EXPOSE 8080$'
out '^HEALTHCHECK '
ok "its second stage does not run as root" awk '/^FROM/ { user = "" } /^USER/ { user = $2 } END { exit user == "" || user == 0 || user == "root" }' "$docker"
# What each RUN installs: the words between "recommends" and the next "&&".
sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$docker" | sed -n 's/^RUN apt-get update.*--no-install-recommends \([^&]*\).*/\1/p' | tr -s ' ' '\n' | grep . > packages
ok "it names packages" test "$(wc -l < packages)" -gt 20
if command -v apt-cache > /dev/null && grep -q '^VERSION_CODENAME=bookworm' /etc/os-release && ls /var/lib/apt/lists/*Packages* > /dev/null 2>&1; then
  missing=
  while read -r package; do
    [ -n "$(apt-cache show --no-all-versions "$package" 2> /dev/null)" ] || missing="$missing $package"
  done < packages
  [ -z "$missing" ]
  tell $? "every package of it is there${missing:+; not these:$missing}"
else
  skip "every package of it is there" "not Debian 12 with lists of packages"
fi
# The libraries of the second stage are all that the program and its plugins ask for.
if command -v dpkg-query > /dev/null && grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then
  sed -n '/ca-certificates/,$p' packages > runtime
  # Sanitizers are this build's alone.
  # What the plugins for serving need; databases, office files, mail and PDF stay out of the image, as their libraries do.
  for file in "$top_builddir"/core/.libs/libflowrun.so "$top_builddir"/plugins/.libs/lib*.so "$top_builddir"/plugins/.libs/sink-serve.so \
    "$top_builddir"/plugins/.libs/compute-*.so "$top_builddir"/plugins/.libs/source-model.so "$top_builddir"/plugins/.libs/evaluator-load.so; do
    [ ! -e "$file" ] || objdump -p "$file" | sed -n 's/^ *NEEDED *//p'
  done | sort -u | grep -v '^libflowrun\|^libc\.so\|^libm\.so\|^ld-linux\|^libgcc_s\|^libstdc++\|^libcuda\|^libcublas\|^libopencc\|^libasan\|^libubsan\|^libtsan' > needed
  lacking=
  while read -r library; do
    path=$(ldconfig -p | sed -n "s|^[[:space:]]*$library .*=> ||p" | sed -n 1p)
    package=$(dpkg-query -S "$(realpath "$path")" "$path" 2> /dev/null | sed -n '1s/:.*//p')
    # libglib2.0-0 brings gio and gmodule; alternatives (libopenblas) belong to one of several packages.
    grep -qx "$package" runtime || lacking="$lacking $library($package)"
  done < needed
  [ -z "$lacking" ]
  tell $? "its packages hold every library that serving needs${lacking:+; not these:$lacking}"
else
  skip "its packages hold every library that serving needs" "not Debian 12"
fi

# ---- the unit -----------------------------------------------------------------------------------------
mkdir -p bin unit
printf '#!/bin/sh\n' > bin/flowrun
chmod +x bin/flowrun
sed "s|@bindir[@]|$tmp/bin|" "$contrib/systemd/flowrun-serve.service.in" > unit/flowrun-serve.service
if command -v systemd-analyze > /dev/null; then
  last="systemd-analyze verify"
  systemd-analyze verify --man=no unit/flowrun-serve.service > .out 2> .err
  [ $? = 0 ] && ! grep -q flowrun-serve .err
  tell $? "systemd-analyze verify has nothing to say"
  last="systemd-analyze security"
  systemd-analyze security --offline=yes --threshold=20 unit/flowrun-serve.service > .out 2> .err
  tell $? "systemd-analyze security: exposure $(sed -n 's|.*Overall exposure.*service: \([0-9.]*\).*|\1|p' .out), at most 2"
else
  skip "systemd-analyze verify has nothing to say" "no systemd-analyze"
  skip "systemd-analyze security" "no systemd-analyze"
fi
ok "serve.env names a model" sh -c ". '$contrib/systemd/serve.env' && [ -n \"\$FLOWRUN_MODEL\" ]"
done_testing
