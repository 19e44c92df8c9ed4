# A slim image with the lean install (no training), for a user without rights:
#     docker build -t cartoonize . && docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/photos" cartoonize photo.jpg
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
COPY requirements-lean.txt /wheels/
RUN pip install --no-cache-dir -r /wheels/requirements-lean.txt \
    && pip install --no-cache-dir --no-deps /wheels/*.whl \
    && rm -r /wheels \
    && useradd --create-home --uid 1000 painter
USER 1000
WORKDIR /photos
ENTRYPOINT ["cartoonize"]
CMD ["--help"]
