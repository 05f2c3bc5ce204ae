# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --bin thoughts \
    && install -D target/release/thoughts /out/thoughts \
    && install -d /out/data

# The libc of the build stage and the CA certificates, and nothing else: no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/thoughts /thoughts
# A new volume takes its owner from here.
COPY --from=build --chown=65532:65532 /out/data /data
ENV THOUGHTS_STORE=sled:/data THOUGHTS_LISTEN=0.0.0.0:3000
USER 65532:65532
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/thoughts", "health"]
ENTRYPOINT ["/thoughts"]
CMD ["serve"]
