"""python -m services.gateway"""

from services.gateway.app import create
from shared.runtime import collector, logs, web
from shared.runtime.settings import Settings


def main() -> None:
    settings = Settings(service="gateway")
    logs.configure(settings.service, settings.log_level)
    app = create(settings)
    collector.rarely()
    web.serve(app, settings)


if __name__ == "__main__":
    main()
