# contrib: how flowrun runs as a service.
nobase_dist_doc_DATA = \
	contrib/README.md \
	contrib/azureml/deployment.yml \
	contrib/azureml/endpoint.yml \
	contrib/container/Dockerfile \
	contrib/container/Dockerfile.dockerignore \
	contrib/kserve/inferenceservice.yaml \
	contrib/kserve/runtime.yaml \
	contrib/sagemaker/endpoint-config.json \
	contrib/sagemaker/model.json \
	contrib/systemd/serve.env
# It is started: it stays a program.
containerdir = $(docdir)/contrib/container
dist_container_SCRIPTS = contrib/container/entry.sh

# Below the prefix, so that an installation without root stays within it; /usr and /usr/local are where systemd looks.
systemdsystemunitdir = $(prefix)/lib/systemd/system
systemdsystemunit_DATA = contrib/systemd/flowrun-serve.service
EXTRA_DIST += contrib/systemd/flowrun-serve.service.in
CLEANFILES += contrib/systemd/flowrun-serve.service
contrib/systemd/flowrun-serve.service: contrib/systemd/flowrun-serve.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's|@bindir[@]|$(bindir)|' $(srcdir)/contrib/systemd/flowrun-serve.service.in > $@
