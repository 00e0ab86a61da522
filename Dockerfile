# The dashboard on a CPU: `docker compose up --build`, then http://localhost:8501
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-deps --wheel-dir /wheel .
# All that running needs, and what signing in needs on top
RUN (grep == requirements.txt && grep -E '^(Authlib|httpx)==' requirements-test.txt) > /wheel/requirements.txt

FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY --from=wheel /wheel /wheel
RUN pip install --no-cache-dir --extra-index-url $TORCH_INDEX --requirement /wheel/requirements.txt
RUN pip install --no-cache-dir --no-deps /wheel/fercore-*.whl && rm -r /wheel

# All that is made lies in its home: runs, verdicts, faces, parsed datasets, settings.
RUN useradd --create-home --uid 1000 fercore
USER fercore
WORKDIR /home/fercore
VOLUME /home/fercore
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health')"]
CMD ["fercore", "dashboard", "--address", "0.0.0.0", "--port", "8501"]
