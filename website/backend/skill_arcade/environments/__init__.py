"""Gymnasium environments: creating, stepping and rendering them. Importing this package registers our own."""

from skill_arcade.environments.registration import register

register()
