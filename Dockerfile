# The key holder in a container. The first stage builds the Debian package, the second has it and nothing of the build.
#   docker build -t smlp .
#   docker run -v smlp:/var/lib/smlp -v /etc/smlp:/etc/smlp:ro -p 50051:50051 smlp
# /var/lib/smlp has secret.json, of user 10001 with mode 0600; /etc/smlp/key_holder has the certificates.
FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates dpkg-dev g++ make
WORKDIR /smlp
COPY . .
RUN make deb

FROM debian:bookworm-slim
COPY --from=build /smlp/build/*.deb /tmp/
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/*.deb && rm -rf /tmp/*.deb /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /var/lib/smlp --shell /usr/sbin/nologin smlp \
  && install --directory --mode=700 --owner=smlp /var/lib/smlp
USER 10001
VOLUME /var/lib/smlp
EXPOSE 50051
STOPSIGNAL SIGTERM
ENTRYPOINT ["smlp", "serve"]
CMD ["--key", "/var/lib/smlp/secret.json", "--listen", "0.0.0.0:50051", "--tls", "/etc/smlp/key_holder"]
