# The wheel is built with the browser assets inside; the image that runs has no compiler, no Node, no root.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml hatch_build.py package.json package-lock.json .npmrc requirements.lock LICENSE ./
COPY geo geo
COPY alerts alerts
COPY micic micic
COPY migrations migrations
RUN python -m venv /opt/micic \
 && /opt/micic/bin/pip install --no-cache-dir -q -c requirements.lock .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home micic \
 && install -d -o micic -g micic -m 0700 /var/lib/micic
COPY --from=build /opt/micic /opt/micic
ENV PATH=/opt/micic/bin:$PATH PYTHONUNBUFFERED=1 MICIC_DATA=/var/lib/micic
USER micic
WORKDIR /var/lib/micic
EXPOSE 8000
CMD ["micic", "serve"]
