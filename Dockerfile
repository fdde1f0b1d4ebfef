# One image for every part: web, feed, engine, worker and beat differ in their command alone (see compose.yaml).
FROM node:22-slim AS libraries
WORKDIR /libraries
COPY package.json package-lock.json ./
COPY tradingarena/localstack/bootstrap.py tradingarena/localstack/
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 \
 && python3 tradingarena/localstack/bootstrap.py browser-libs

FROM python:3.12-slim
ENV PYTHONUTF8=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 STATIC_ROOT=/arena/staticfiles
WORKDIR /arena
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
COPY --from=libraries /libraries/static/vendor static/vendor
RUN SECRET_KEY=only-for-collecting-static-files-which-signs-nothing-at-all ALLOWED_HOSTS=localhost \
    DATABASE_URL=postgres://none@localhost/none REDIS_URL=redis://localhost/0 \
    DJANGO_SETTINGS_MODULE=tradingarena.settings.production python manage.py collectstatic --no-input \
 && useradd --system --create-home --home-dir /home/arena arena
USER arena
EXPOSE 8000
CMD ["python", "-m", "tradingarena.web", "--host", "0.0.0.0", "--port", "8000"]
