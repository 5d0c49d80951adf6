# Pairdesk in a container: slim, not root, its data in a volume, a health check.
#   docker build -t pairdesk .
#   docker run --rm -p 127.0.0.1:8501:8501 -e PAIRDESK_ALLOW_REMOTE=1 -v pairdesk-data:/app/data pairdesk
# Inside a container the server has to listen on every interface, which the app refuses to do
# without sign-in unless it is told to: -p 127.0.0.1:… above keeps it to this machine all the same.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    NUMBA_CACHE_DIR=/home/pairdesk/.cache/numba \
    PAIRDESK_HOST=0.0.0.0 \
    PAIRDESK_PORT=8501 \
    PAIRDESK_NO_BROWSER=1

RUN useradd --create-home --uid 10001 pairdesk
WORKDIR /app

COPY requirements.txt .
RUN pip install -r requirements.txt

COPY --chown=pairdesk:pairdesk . .
USER pairdesk
# The numeric kernels are compiled here once, not at each container's first page.
RUN python -m pages.ui.server.compiler

VOLUME /app/data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
