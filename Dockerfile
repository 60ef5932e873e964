# The image, for BuildKit as Docker 20.10 has it (frontend 1.2: no heredocs, no COPY --link).
# `inv build` gives every argument from components/components.yaml and the host; the stages' scripts
# are in builder/stages/, and .build/sources/ holds the archives that it fetched and checked.
ARG BASE
ARG WEB=nothing
ARG GO=nothing

# --- base: Debian, from the mirror of whoever builds ---------------------------------------------
FROM ${BASE} AS base
ARG DEBIAN_MIRROR
ARG DEBIAN_SECURITY_MIRROR
ENV DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
COPY builder/stages/prepare-base builder/stages/install-packages /build/
RUN /build/prepare-base "${DEBIAN_MIRROR}" "${DEBIAN_SECURITY_MIRROR}"

FROM base AS nothing
RUN mkdir /out

# --- packages: users with fixed numbers, then the servers from Debian ----------------------------
FROM base AS packages
ARG DEBIAN_PACKAGES
# Changes when Debian's fixes are to be had anew.
ARG DEBIAN_AS_OF
COPY rootfs/usr/lib/sysusers.d/matrix-appliance.conf builder/stages/make-users /build/
RUN /build/make-users /build/matrix-appliance.conf
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    --mount=type=secret,id=ca \
    : "as of ${DEBIAN_AS_OF}" && /build/install-packages --upgrade ${DEBIAN_PACKAGES}

# --- python: one virtualenv at a fixed path ------------------------------------------------------
FROM base AS pip
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    --mount=type=secret,id=ca \
    /build/install-packages python3-pip python3-venv ca-certificates binutils

FROM pip AS python
ARG PIP_INDEX_URL
ARG PYTHON_LOCKS
COPY components/*.lock builder/stages/install-python builder/stages/pack_lego.py \
    builder/stages/lego_bridge.py /build/
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=ca \
    /build/install-python python.lock ${PYTHON_LOCKS}

# --- go: the components in Go, when there are any ------------------------------------------------
FROM base AS go-toolchain
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    --mount=type=secret,id=ca \
    /build/install-packages --backports golang-1.26-go gcc libc6-dev ca-certificates python3

FROM go-toolchain AS go-programs
ARG GOPROXY
ARG GONOSUMDB
ARG GO_COMPONENTS
COPY components/go /build/go
COPY builder/stages/build_go.py /build/
RUN --mount=type=cache,target=/root/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=bind,source=.build/sources,target=/build/sources --mount=type=secret,id=ca \
    python3 /build/build_go.py

FROM ${GO} AS go

# --- web: the web client, unpacked and compressed once for all -----------------------------------
FROM base AS web-client
ARG WEB_ARCHIVE
COPY ${WEB_ARCHIVE} builder/stages/unpack-web /build/
RUN /build/unpack-web "/build/${WEB_ARCHIVE##*/}" /out/usr/share/element

FROM ${WEB} AS web

# --- cluster: a Postgres cluster that already holds Synapse's schema, and nothing else -----------
FROM packages AS cluster
COPY --from=python /opt/appliance /opt/appliance
COPY builder/stages/make-cluster /build/
RUN /build/make-cluster /out/usr/share/appliance/postgres-template

# --- root: Debian without what no server of ours runs --------------------------------------------
FROM packages AS root
COPY builder/stages/prune /build/
RUN /build/prune

# --- inventory: what all of this holds, its size and its licences --------------------------------
FROM packages AS inventory
ARG COMPONENTS
COPY builder/stages/take_inventory.py builder/stages/write_sbom.py /build/
RUN --mount=type=bind,from=root,target=/image/root \
    --mount=type=bind,from=python,source=/opt/appliance,target=/image/python \
    --mount=type=bind,from=go,source=/out,target=/image/go \
    --mount=type=bind,from=web,source=/out,target=/image/web \
    python3 /build/take_inventory.py /image /out/usr/share/appliance \
    && python3 /build/write_sbom.py /image /out/usr/share/appliance

# --- appliance: our own files, the only layer that an edit of ours changes -----------------------
FROM python AS appliance
COPY rootfs /out
COPY templates /out/usr/share/appliance/templates
COPY appliance /out/usr/share/appliance/python/appliance
RUN cd /out/usr/share/appliance \
    && PYTHONPATH=python /opt/appliance/bin/python -B -m appliance.render templates compiled-templates \
    && python3 -m compileall -q --invalidation-mode unchecked-hash -s /out python compiled-templates

# --- the image -----------------------------------------------------------------------------------
FROM scratch AS components
ENV PATH=/opt/appliance/bin:/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
COPY --from=root / /
COPY --from=python /opt/appliance /opt/appliance
COPY --from=cluster /out /
COPY --from=go /out /
COPY --from=web /out /
COPY --from=inventory /out /

# What is copied last comes out of here, so that an image which lacks something is none.
FROM components AS checked
COPY --from=appliance /out /
RUN appliance selfcheck
COPY --from=appliance /out /out

FROM components AS runtime
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["appliance", "health"]
ENTRYPOINT ["appliance-entrypoint"]
COPY --from=checked /out /
LABEL org.opencontainers.image.title="matrix-appliance" \
    org.opencontainers.image.description="A complete Matrix server in one image"
