# SPDX-License-Identifier: Apache-2.0
"""manifests.py azureml|kserve CONTRIB: the manifests of contrib/ as the platform's own client reads them.

azureml: azure-ai-ml loads them against its schemas.  kserve: every member is looked up in the models of kserve and
kubernetes, by type.  Status 77: the client is not installed; 1: it does not accept them.
"""
import pathlib
import re
import shutil
import sys
import tempfile


def azureml(contrib):
    from azure.ai.ml import load_online_deployment, load_online_endpoint

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for file in ("endpoint.yml", "deployment.yml"):
            shutil.copy(contrib / "azureml" / file, folder)
        (folder / "model").mkdir()
        (folder / "model" / "model.gguf").write_text("")
        endpoint = load_online_endpoint(folder / "endpoint.yml")
        deployment = load_online_deployment(folder / "deployment.yml")
    assert deployment.endpoint_name == endpoint.name
    assert deployment.request_settings.max_concurrent_requests_per_instance > 1
    # What is misspelt must not pass.
    text = (contrib / "azureml/deployment.yml").read_text().replace("request_timeout_ms", "request_timeout_mz")
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(text)
        file.flush()
        try:
            load_online_deployment(file.name)
        except Exception:
            return
    sys.exit("azure-ai-ml accepts anything")


def walk(value, kind, at, faults, models):
    many = re.match(r"(list|dict)[\[(](?:str, )?(.*)[\])]$", kind)
    if many and many[1] == "list":
        for i, one in enumerate(value):
            walk(one, many[2], f"{at}[{i}]", faults, models)
        return
    of = next((getattr(m, kind) for m in models if hasattr(m, kind)), None)
    if many or of is None or not hasattr(of, "openapi_types"):
        return
    names = {written: attribute for attribute, written in of.attribute_map.items()}
    for name, one in value.items():
        if name in names:
            walk(one, of.openapi_types[names[name]], f"{at}.{name}", faults, models)
        else:
            faults.append(f"{at}.{name}: {kind} has no such member")


def kserve(contrib):
    import kserve.models
    import kubernetes.client.models
    import yaml

    faults = []
    for file, kind in (("runtime.yaml", "V1alpha1ServingRuntime"), ("inferenceservice.yaml", "V1beta1InferenceService")):
        value = yaml.safe_load((contrib / "kserve" / file).read_text())
        walk(value, kind, file, faults, (kserve.models, kubernetes.client.models))
        spoilt = []
        walk({"spec": {"nothing": 1}}, kind, file, spoilt, (kserve.models, kubernetes.client.models))
        assert spoilt, "any member passes"
    if faults:
        sys.exit("\n".join(faults))


try:
    {"azureml": azureml, "kserve": kserve}[sys.argv[1]](pathlib.Path(sys.argv[2]))
except ImportError as error:
    print(error)
    sys.exit(77)
