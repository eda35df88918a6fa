"""All packages of the suite."""

from tests.compat.packages import bundler, documents, images, languages, loaders, nodejs, stores, tables, targets

WEB = [*images.PACKAGES, *tables.PACKAGES, *stores.PACKAGES, *languages.PACKAGES, *documents.PACKAGES]
OTHER_TARGETS = [*bundler.PACKAGES, *nodejs.PACKAGES, *targets.PACKAGES]
LOADERS = loaders.PACKAGES
PACKAGES = [*WEB, *OTHER_TARGETS, *LOADERS]
