"""The Gymnasium side: making, stepping and showing an environment. Importing it registers those of our own."""

from skill_arcade.environments.registration import register

register()
