from __future__ import annotations

from django.urls import path

from .auth import for_nodes
from .directory import directory

urlpatterns = [path("directory", for_nodes(directory))]
