"""All packages of the suite."""

from tests.compat.packages import bundler, documents, images, languages, loaders, nodejs, stores, tables, targets

PACKAGES = [*images.PACKAGES, *tables.PACKAGES, *stores.PACKAGES, *languages.PACKAGES, *documents.PACKAGES]
# Glue that is not for the web, or that has a loader around it.
OTHER_TARGETS = [*bundler.PACKAGES, *nodejs.PACKAGES, *targets.PACKAGES, *loaders.PACKAGES]
