# One image for every role (VIP_ROLES). Settings: docs/reference/settings.md.
#   docker build -t vip-billing .
#   docker run --env-file .env -v ./config/providers.yaml:/app/config/providers.yaml:ro \
#     -p 8080:8080 vip-billing
FROM node:24-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json ./

# The database client is generated, which takes a development package.
FROM base AS client
COPY prisma.config.ts ./
COPY prisma/schema prisma/schema
COPY scripts scripts
RUN npm ci --omit=optional --no-audit --no-fund

# What runs: no development packages, no embedded database, no Node beside that of the image.
FROM base
ENV NODE_ENV=production
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && npm cache clean --force
COPY prisma/migrations prisma/migrations
COPY config config
COPY scripts scripts
COPY src src
COPY --from=client /app/src/platform/database/client src/platform/database/client
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD node -e \
  "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/healthz') \
     .then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
CMD ["node", "src/main.ts"]
