# style: source encoded in Latin-1 with a coding line, Spanish comments and names
# -*- coding: latin-1 -*-
import numpy as np


def initialize_parameters_zeros(tamaños):
    # Inicialización con ceros: ¡no rompe la simetría!
    parámetros = {}
    for capa in range(1, len(tamaños)):
        parámetros['W' + str(capa)] = np.zeros((tamaños[capa], tamaños[capa - 1]))
        parámetros['b' + str(capa)] = np.zeros((tamaños[capa], 1))
    return parámetros


def initialize_parameters_random(tamaños):
    # Inicialización aleatoria con valores grandes (×10)
    np.random.seed(3)
    parámetros = {}
    for capa in range(1, len(tamaños)):
        parámetros['W' + str(capa)] = np.random.randn(tamaños[capa], tamaños[capa - 1]) * 10
        parámetros['b' + str(capa)] = np.zeros((tamaños[capa], 1))
    return parámetros


def initialize_parameters_he(tamaños):
    # Inicialización de He et al., 2015
    np.random.seed(3)
    parámetros = {}
    for capa in range(1, len(tamaños)):
        desviación = np.sqrt(2 / tamaños[capa - 1])
        parámetros['W' + str(capa)] = np.random.randn(tamaños[capa], tamaños[capa - 1]) * desviación
        parámetros['b' + str(capa)] = np.zeros((tamaños[capa], 1))
    return parámetros


print("Año 2017: código en español")
