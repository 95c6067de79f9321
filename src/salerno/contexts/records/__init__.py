"""What is known about a person's health, whoever found it out and wherever it was written first.

problem       something that is wrong or needs attention, with its clinical status; diagnoses of visits arrive here
allergy       a substance that harmed or may harm the person, with reactions; or the statement that none is known
vitals        one round of measurements at the bedside, with what follows from them: BMI, mean pressure, NEWS2
statement     everything else that is stated once, may change its status and may be withdrawn: observation, history,
              immunization, procedure, report, care plan, goal
kept resource a FHIR resource that has no home yet, kept word for word so that nothing is lost
"""
