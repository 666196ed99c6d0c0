# Two images from one build:
#   docker build --target worker  -t ticketbridge-worker  .
#   docker build --target starter -t ticketbridge-starter .
# Both run as a user without rights, write nothing, and take everything from the
# environment and the configuration at /etc/ticketbridge/ticketbridge.yaml.

FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine3.23 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG REVISION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X main.version=$VERSION -X main.revision=$REVISION" \
    -o /out/ ./worker ./starter

# Alpine brings the certificate authorities and wget for the health checks.
FROM alpine:3.23.3 AS base
WORKDIR /etc/ticketbridge
ENV TICKETBRIDGE_CONFIG=/etc/ticketbridge/ticketbridge.yaml
USER 65532:65532

FROM base AS worker
COPY --from=build /out/worker /usr/local/bin/worker
ENV TICKETBRIDGE_METRICS_ADDR=:9090
EXPOSE 9090
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9090/healthz"]
ENTRYPOINT ["/usr/local/bin/worker"]

FROM base AS starter
COPY --from=build /out/starter /usr/local/bin/starter
# Files on their way to a ticket; a volume here outlives the container.
USER root
RUN mkdir -m 0700 /var/spool/ticketbridge && chown 65532:65532 /var/spool/ticketbridge
USER 65532:65532
ENV TICKETBRIDGE_HTTP_ADDR=:8080 TICKETBRIDGE_SPOOL_DIR=/var/spool/ticketbridge
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=7s --start-period=20s \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["/usr/local/bin/starter"]
CMD ["serve"]
