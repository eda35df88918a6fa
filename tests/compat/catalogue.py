"""All packages of the suite."""

from tests.compat.packages import documents, images, languages, stores, tables

PACKAGES = [*images.PACKAGES, *tables.PACKAGES, *stores.PACKAGES, *languages.PACKAGES, *documents.PACKAGES]
