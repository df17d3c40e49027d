"""`GET /v1/system`: what an operator's page shows, in one answer."""

from importlib.metadata import version

from fastapi import APIRouter

from api.dependencies import Services, ServicesDep
from api.problems_in_openapi import problems
from api.schemas.service import LimitsView, ModelPackView, SystemView, WorkView
from facefleet.ledger.rates import read_load

router = APIRouter(prefix="/v1", tags=["service"])


@router.get("/system", responses=problems(503))
def show_system(services: ServicesDep) -> SystemView:
    """Show the model pack, the work that waits and how fast it goes, and where the dashboards are."""
    settings = services.settings
    return SystemView(
        version=version("facefleet"),
        embedded=services.has_fleet and settings.broker_url.startswith("memory:"),
        has_fleet=services.has_fleet,
        folder_sources=services.folder_sources_allowed,
        model=_describe_model(services),
        work=_describe_work(services),
        limits=LimitsView(**{name: getattr(settings, name) for name in LimitsView.model_fields}),
        flower_url=settings.flower_url,
        grafana_url=settings.grafana_url,
    )


def _describe_model(services: Services) -> ModelPackView | None:
    recognizer = services.recognizer
    if recognizer is None:
        return None
    pack = recognizer.pack
    return ModelPackView(
        name=pack.name,
        version=pack.model_version,
        licence=pack.licence,
        runtime=recognizer.runtime,
        drawn_people=pack.drawn_people,
        calibration=services.similarity.note,
    )


def _describe_work(services: Services) -> WorkView:
    backlog = services.ledger.leases.backlog_by_lane(services.settings.interactive_photos)
    return WorkView(
        waiting=backlog.interactive_photos + backlog.index_photos,
        leased=read_load(services.ledger.database, None).leased_photos,
        finished_per_minute=backlog.finished_per_minute,
        oldest_s=round(backlog.oldest_s, 1),
    )
