"""Every table of the product, imported once so that the metadata is whole. For migrations and tests."""

import alerts.models
import micic.audit.models
import micic.cases.models
import micic.exposure.models
import micic.lists.models
import micic.notifications.models
import micic.posts.models
import micic.registry.location_models
import micic.registry.models
import micic.watch.models

__all__ = ["alerts", "micic"]
